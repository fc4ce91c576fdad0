"""The drift function: are production's answers still spread as the evaluation's?"""
