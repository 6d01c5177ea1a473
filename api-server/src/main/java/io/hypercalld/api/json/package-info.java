/**
 * JSON, strictly: what a Java type looks like as JSON, and nothing else is accepted for it.
 *
 * <p>A {@link io.hypercalld.api.json.Shape} reads, writes and describes one type; {@link
 * io.hypercalld.api.json.Shapes} derives them from record components, so that the decoder, the
 * encoder and the published schemas cannot disagree. Reading is one pass over the tokens; every
 * complaint carries the JSON Pointer of its place.
 *
 * <p>Depends on the value types of the modules below and on Jackson's streaming layer.
 */
@NullMarked
package io.hypercalld.api.json;

import org.jspecify.annotations.NullMarked;
