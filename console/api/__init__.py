"""The HTTP side of the console: accounts, authorisation, queries, commands, the stream and the page itself."""
