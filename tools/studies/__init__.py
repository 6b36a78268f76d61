"""User studies: the folder that participants open in a browser, and the scores of what they answered.

`protocols` says what each study shows and asks and draws the trials of every sitting, `media` reads pictures and
videos and writes them under names that tell nothing, `build` writes the folder and its key, `page.html` is the page
of every study, and `scoring` joins key and answers.
"""
