"""The pages in the browser: who may look, what a link asks for, and how an answer is drawn."""
