-- What starting up takes; it is taken off the others.
print("0")
