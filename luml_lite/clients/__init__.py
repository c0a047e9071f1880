"""The faces of programs: every operation bound once as a function and as a method, blocking and awaited."""
