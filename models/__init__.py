"""How likely, how unusual: numbers in, numbers out. numpy alone; what is fitted otherwise lives in models.fitting."""
