"""What is known of a project's Git authorizations and what is wrong with them.

Pure: standard library only, and no clock, random, asyncio or logging. Everything here is a
value or a function of values; whoever calls brings `now`.
"""
