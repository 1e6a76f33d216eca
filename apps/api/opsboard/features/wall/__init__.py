"""The wall: what a screen in the hall shows, for people who signed in and for the holders of a link."""
