// The function that the measured hosts run, in JavaScript.
export const handler = async (event) => `Hello, ${event.name}. What a fine day it is.`;
