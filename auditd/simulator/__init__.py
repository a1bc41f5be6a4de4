"""A stand-in for ServiceStage, IAM and the metadata services: for the demo, tests and dry runs.

It shares no code with the client that it is there to try, and it checks what the cloud checks:
signatures from the raw request, token scopes and lives, lock-outs, who may use which project.

    scenario = load_scenario(Path("config/scenario.yaml"))      # None: the demo
    simulator = Simulator(scenario, now=lambda: datetime.now(UTC))
    async with simulator.serve("127.0.0.1", 18080) as bound:
        print(bound.url)    # the endpoint of ServiceStage, IAM, STS and the metadata service

One port answers for everything:

    /v1/{project_id}/git/...                the repository API of ServiceStage
    /v3/auth/tokens, /v3/auth/projects, /v3/projects, /v3.0/OS-AUTH/id-token/tokens,
    /v3.0/OS-CREDENTIAL/securitytokens      IAM
    /v5/agencies/assume-with-oidc           STS
    /meta-data/latest/api/token, /openstack/latest/securitykey
                                            the metadata service of a machine, v1 and v2
    /pod-identity/credentials               the identity of a pod
    /_simulator/...                         looking in and interfering; see `control`

`config/scenario.yaml` shows every key of a scenario. The rooms inside:

    scenario, loading, bulk                 what the cloud is made of, and reading it
    authorization, life, fleet              the authorizations as they are at this moment
    signature, keyring, tokens, lockout, gateway
                                            who is calling, and may they
    repositories, iam, directory, metadata  the answers
    faults, effects, wire_effects, listing_effects
                                            what goes wrong, on purpose
    ledger, control, server                 counting, interfering, listening
"""
