package io.hypercalld.api.http.planted;

/** Where requests come in. */
public record Front(int port) {}
