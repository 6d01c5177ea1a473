package io.hypercalld.api.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Subscribers to a daemon's events, for all of whom one thread reads, except for those who never
 * do. Thread-safe.
 */
final class Watchers implements AutoCloseable {
  private static final byte[] ASK =
      "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
          .getBytes(ISO_8859_1);
  private static final int PATIENCE_MILLIS = 100;

  private final List<SocketChannel> channels = new ArrayList<>();
  private final ByteBuffer waste = ByteBuffer.allocateDirect(1 << 16);
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong cut = new AtomicLong();
  private final InetSocketAddress daemon;
  private final Selector selector;
  private final Thread reader;
  private volatile boolean closed;

  Watchers(URI url, int count, int slow) throws IOException {
    daemon = new InetSocketAddress(url.getHost(), url.getPort());
    selector = Selector.open();
    for (int i = 0; i < count; i++) {
      SocketChannel channel = watch();
      channels.add(channel);
      if (i >= slow) {
        channel.configureBlocking(false).register(selector, SelectionKey.OP_READ);
      }
    }
    reader = Thread.ofPlatform().name("watchers").daemon().start(this::run);
  }

  /** Subscribes, and waits until that is so. */
  private SocketChannel watch() throws IOException {
    SocketChannel channel = SocketChannel.open(daemon);
    channel.write(ByteBuffer.wrap(ASK));
    channel.read(ByteBuffer.allocate(1024));
    return channel;
  }

  private void run() {
    try {
      while (!closed) {
        selector.select(this::read, PATIENCE_MILLIS);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void read(SelectionKey key) {
    try {
      SocketChannel channel = (SocketChannel) key.channel();
      int length = channel.read(waste.clear());
      if (length >= 0) {
        bytes.addAndGet(length);
        return;
      }
      cut.incrementAndGet();
      channel.close();
      SocketChannel again = watch();
      channels.add(again);
      again.configureBlocking(false).register(selector, SelectionKey.OP_READ);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Bytes read so far. */
  long bytes() {
    return bytes.get();
  }

  /** Those whose stream the daemon has ended, among those who read. */
  long cut() {
    return cut.get();
  }

  @Override
  public void close() throws IOException {
    closed = true;
    selector.wakeup();
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    for (SocketChannel channel : channels) {
      channel.close();
    }
    selector.close();
  }
}
