"""The store of a trail, its reports, and the engines that run them."""
