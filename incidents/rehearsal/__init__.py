"""`incident rehearse`: the real workflows and activities, against the sandbox, in virtual time.

It stands above everything else, because it needs both the program and the sandbox. The extra `rehearse` brings what it
needs besides.
"""
