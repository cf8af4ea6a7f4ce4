<?php
// A hook in plain PHP: each path goes wrong in another way.
function hook(): string
{
    $event = json_decode('{"id": "evt_1", "type": "invoice.paid"}', true);
    switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
        case '/warning':
            return $event['data'] . 'ok';
        case '/uncaught':
            throw new RuntimeException('no customer');
        case '/trace':
            try {
                throw new RuntimeException('no customer');
            } catch (RuntimeException $error) {
                http_response_code(500);
                return $error->getTraceAsString();
            }
        case '/info':
            phpinfo(INFO_GENERAL | INFO_ENVIRONMENT);
            return '';
        case '/refused':
            return stream_socket_client('tcp://127.0.0.1:9') ? 'ok' : '';
    }
    http_response_code(404);
    return 'Not found';
}
echo hook();
