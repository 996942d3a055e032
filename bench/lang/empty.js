// What starting up takes; it is taken off the others.
console.log("0");
