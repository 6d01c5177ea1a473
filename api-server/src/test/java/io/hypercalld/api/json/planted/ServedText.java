package io.hypercalld.api.json.planted;

import io.hypercalld.api.http.planted.Front;

/** JSON that knows who reads it. */
public record ServedText(Front front) {}
