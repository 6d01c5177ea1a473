/** Requests that nobody would write. */
@org.jspecify.annotations.NullMarked
package io.hypercalld.api.fuzz;
