"""The detectors: one file for each, named as reports and waivers name the detector.

``payproof.domain.detector`` says what a detector gets and returns. To add one, write a class that derives from one of
these bases, give it samples, and decorate it with ``@detector``:

- ``Detector``: it is given all of each text.
- ``AnchoredDetector`` (``payproof.scan.detector``): it is given the bytes around places where a cheap test is true.
- ``PreparedDetector`` (``payproof.scan.detector``): it is given each text with its digits and fields found.
- ``FormDetector`` (``payproof.forms``): it has patterns, which are tried in JSON strings and on HTML pages too.

The registry finds the file by itself, and refuses a detector whose samples prove it wrong. The check ``no_disclosure``
asks every detector about answers. Searches of stores, logs and files ask all but those that say ``by_error``.
"""
