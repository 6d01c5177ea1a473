package io.hypercalld.api.rest.planted;

import io.micronaut.http.HttpStatus;

/** A route that cannot do without the framework. */
public record FrameworkRoute(HttpStatus status) {}
