"""Level `fast`: times that cannot be fooled, the roofline that they are seen under, and the ceilings of a machine."""
