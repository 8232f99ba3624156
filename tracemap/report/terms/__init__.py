"""The definitions of every number on a report, by what they are about."""
