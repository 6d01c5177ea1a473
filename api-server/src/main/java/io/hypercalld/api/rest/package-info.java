/**
 * The REST face: a table of routes, what stands behind each, and one way to fail.
 *
 * <p>A {@link io.hypercalld.api.rest.Route} is data: the OpenAPI document, the answers to unknown
 * paths and the dispatcher all read the same table. Requests are decoded and answers encoded on the
 * caller's thread; only the tasks in between run on the machine's.
 */
@NullMarked
package io.hypercalld.api.rest;

import org.jspecify.annotations.NullMarked;
