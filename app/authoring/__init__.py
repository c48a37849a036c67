"""Problems written on the site: working copies, their proof, publishing, versions, rejudging."""
