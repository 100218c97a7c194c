"""The compiled codec: twins of `objectid`, `decoder` and `encoder`, of the same names.

They do what is common, and hand what is rare or wrong to the readable ones: so values, bytes and
errors are the same.
"""
