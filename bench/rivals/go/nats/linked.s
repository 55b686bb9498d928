// Lets main.go declare a function that is defined elsewhere.
