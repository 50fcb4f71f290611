"""A site's knowledge sources: web pages, crawls, sitemaps and files, fetched in the background into documents."""
