<?php
// What Symfony's error handler answers, in debug mode or not, as HTML or as JSON.
require_once '/usr/share/php/Symfony/Component/ErrorHandler/autoload.php';

use Symfony\Component\ErrorHandler\ErrorRenderer\HtmlErrorRenderer;

function hook(): never
{
    throw new RuntimeException('no customer');
}

try {
    hook();
} catch (RuntimeException $error) {
    $page = (new HtmlErrorRenderer($_GET['mode'] === 'debug'))->render($error);
    http_response_code($page->getStatusCode());
    foreach ($page->getHeaders() as $name => $value) {
        header("$name: $value");
    }
    echo $page->getAsString();
}
