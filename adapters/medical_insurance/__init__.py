"""Medical insurance (医保): the medical-insurance information platform."""
