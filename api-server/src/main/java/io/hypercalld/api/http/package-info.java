/**
 * Where HTTP ends: Micronaut's server hands each request to the {@link
 * io.hypercalld.api.rest.Dispatcher} and sends its answer.
 */
@NullMarked
package io.hypercalld.api.http;

import org.jspecify.annotations.NullMarked;
