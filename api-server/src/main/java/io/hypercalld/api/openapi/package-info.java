/**
 * The interface described for machines and for people.
 *
 * <p>Nothing here is written twice: the document is made of the table of routes, the catalogue of
 * hypercalls and the shapes of their records, the same that answer requests.
 */
@NullMarked
package io.hypercalld.api.openapi;

import org.jspecify.annotations.NullMarked;
