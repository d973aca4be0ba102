"""Write the reference pages anew: `make reference`."""

from tools.reference.pages import written

if __name__ == "__main__":
    for path, text in written():
        path.write_text(text, encoding="utf-8")
