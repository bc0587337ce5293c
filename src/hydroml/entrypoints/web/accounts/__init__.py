"""Identity: the user, who logs in and how. The one thing Django stores."""
