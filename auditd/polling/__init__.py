"""When and how a project is polled.

Agenda     which slots are due (a value of the wall clock, no timers)
Ticker     looks at the agenda when something is due and submits it
ClockWatch notices a stepped clock, a suspend and a blocked loop
Polls      one task a poll, no overlap, cancelled as one
Poller     the poll itself: list, check, publish
Fleet      what is known of every project
Roster     which projects there are; Discovery keeps it current
"""
