"""What becomes of findings over time, and what is owed to whom.

Pure: standard library and `auditd.audit` only, and no clock, random, asyncio or logging. Every
step is a function of a state, of evidence and of `now`, an aware UTC datetime; whoever calls
stores what comes back.
"""
