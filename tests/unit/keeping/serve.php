<?php // Answers, fails, or answers and leaves: PHP's own server.
file_put_contents(getenv("RECORD"), $_SERVER["REQUEST_URI"] . "\n", FILE_APPEND);
if (str_starts_with($_SERVER["REQUEST_URI"], "/fail")) {
    throw new RuntimeException("made to fail");
}
echo "ok";
