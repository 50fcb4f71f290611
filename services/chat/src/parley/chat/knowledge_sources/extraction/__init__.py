"""Text, headings and links of pages and files, read in a process of their own."""
