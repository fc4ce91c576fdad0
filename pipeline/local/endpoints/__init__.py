"""Local endpoints: server processes on loopback, and the manager process that starts, replaces and stops them.

Between transitions nothing supervises: the servers run on by themselves, and outlive the command line.
"""
