"""Files as bytes to search: found on the disk, opened whatever they are packed in, never unpacked onto the disk."""
