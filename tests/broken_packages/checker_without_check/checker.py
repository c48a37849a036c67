def compare(case_input, answer, seed):
    return "wrong"
