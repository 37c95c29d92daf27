"""Message: from an appeal's words to the bytes on the wire. Pure: data in, bytes out."""
