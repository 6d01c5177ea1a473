/**
 * The command line that asks a running daemon, over HTTP as anybody would.
 *
 * <p>A {@link io.hypercalld.api.client.Verb} is data: its words, the request that they become and
 * what of the answer is shown. Nothing here knows a machine, and nothing here starts a server: what
 * a command costs is a JVM, a socket and a table.
 */
@NullMarked
package io.hypercalld.api.client;

import org.jspecify.annotations.NullMarked;
