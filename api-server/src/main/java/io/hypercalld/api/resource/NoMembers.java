package io.hypercalld.api.resource;

/** A body that says nothing: empty, or an object without members. Immutable. */
record NoMembers() {}
