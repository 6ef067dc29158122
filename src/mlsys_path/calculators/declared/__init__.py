"""What each calculator is given and what its report shows, one module for each."""
