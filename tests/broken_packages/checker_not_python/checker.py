def check(case_input, answer, seed)
    return "wrong"
