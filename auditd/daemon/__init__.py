"""The composition root: the only code that knows everyone.

catalog        which checks, credential kinds and hook types there are
watch          cloud, fleet and poller out of settings: the parts that see
alarms         board, desk, flusher and hooks out of settings and state: the parts that tell
service        the daemon: both of them, scheduler, listener and telemetry, from start to stop
announcement   what it says of itself when it starts
readiness      what it still waits for
office         what the API asks, done on board and store
signing        a credential's proof for hooks that talk to Huawei Cloud
once, sight    one round of polls for `check`; what each credential can see, for `discover`
state_access   the stored state for commands; running: the daemon's API for commands
hook_*         one hook tried out, or shown without the network
demo           simulator, receiver and daemon in one process, without configuration
"""
