"""The composition root: the only code that knows everyone.

catalog      which checks and credential kinds there are
watch        cloud, fleet and poller out of settings; what every command that polls needs
service      the daemon: watch + scheduler + listener + telemetry, from start to stop
once         one round of polls, for `check`
demo         simulator and daemon in one process, without configuration
"""
