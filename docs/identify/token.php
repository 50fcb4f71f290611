<?php
// Prints a token for a user. The library firebase/php-jwt does the same: JWT::encode($claims, $secret, 'HS256').

function encode(string $part): string
{
    return rtrim(strtr(base64_encode($part), '+/', '-_'), '=');
}

function parley_token(string $userId, string $name, string $email): string
{
    $claims = ['sub' => $userId, 'name' => $name, 'email' => $email, 'exp' => time() + 3600];
    $signed = encode(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])) . '.' . encode(json_encode($claims));
    return $signed . '.' . encode(hash_hmac('sha256', $signed, getenv('CHAT_IDENTITY_SECRET'), true));
}

echo parley_token($argv[1], $argv[2], $argv[3]);
