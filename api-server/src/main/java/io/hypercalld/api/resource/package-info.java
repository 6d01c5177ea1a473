/**
 * The resources: what they look like, and what is done when they are asked for or changed.
 *
 * <p>A view is a record with the members of the contract, made on the machine's thread and encoded
 * elsewhere. Changes end in the same hypercalls as those of the other face.
 */
@NullMarked
package io.hypercalld.api.resource;

import org.jspecify.annotations.NullMarked;
