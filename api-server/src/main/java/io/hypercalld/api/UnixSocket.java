package io.hypercalld.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** The place in the file system where the daemon listens. Immutable. */
record UnixSocket(Path path) {
  /**
   * Clears away what a daemon left that was killed.
   *
   * @throws CannotListen where somebody listens, or the place is another file's
   */
  void prepare() {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (Files.isRegularFile(path) || Files.isDirectory(path)) {
      throw new CannotListen(path, "there is a file that is no socket");
    }
    if (isListenedOn()) {
      throw new CannotListen(path, "somebody listens there");
    }
    remove();
  }

  private boolean isListenedOn() {
    try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      return probe.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Closes it to other users. */
  void protect() {
    try {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void remove() {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new CannotListen(path, "what is there cannot be deleted");
    }
  }
}
