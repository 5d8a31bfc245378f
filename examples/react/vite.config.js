// Relative addresses, so that the built page can be served from any path.
export default { base: "./" };
