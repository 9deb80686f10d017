"""What figures prove: how sure it is that something is below its bar, and that a change has made a difference.

Pure. Few figures prove little: each rate is drawn towards what is usual, and
daily figures that scatter more than counts do count for less.
"""
