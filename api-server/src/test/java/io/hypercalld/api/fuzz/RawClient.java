package io.hypercalld.api.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.Locale;

/** A connection that sends whatever bytes it is given, and reads one answer after each. */
final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 30_000;

  private final URI url;
  private Socket socket;
  private InputStream in;

  /** What came back. */
  record Answer(int status, String body, boolean closed) {}

  RawClient(URI url) throws IOException {
    this.url = url;
    this.socket = connect();
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  private Socket connect() throws IOException {
    Socket made = new Socket(url.getHost(), url.getPort());
    made.setTcpNoDelay(true);
    made.setSoTimeout(PATIENCE_MILLIS);
    return made;
  }

  /** Sends a request and reads its answer; connects anew where the other side has closed. */
  Answer exchange(String request) throws IOException {
    Answer answer;
    try {
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      answer = read(request.startsWith("HEAD "));
    } catch (SocketTimeoutException e) {
      throw new AssertionError("no answer to " + request, e);
    } catch (SocketException | EOFException e) {
      answer = new Answer(0, "", true);
    }
    if (answer.closed) {
      socket.close();
      socket = connect();
      in = new BufferedInputStream(socket.getInputStream());
    }
    return answer;
  }

  private Answer read(boolean headOnly) throws IOException {
    String status = line();
    long length = 0;
    boolean closes = false;
    for (String header = line(); !header.isEmpty(); header = line()) {
      String lower = header.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Long.parseLong(lower.substring(15).strip());
      }
      // What comes in chunks goes on and on.
      closes |= lower.matches("connection:.*close|transfer-encoding:.*chunked");
    }
    if (status.contains(" 100 ")) {
      return read(headOnly);
    }
    String body = headOnly ? "" : new String(in.readNBytes((int) length), ISO_8859_1);
    return new Answer(Integer.parseInt(status.split(" ", 3)[1]), body, closes);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int octet = in.read(); octet != '\n'; octet = in.read()) {
      if (octet < 0) {
        throw new EOFException();
      }
      if (octet != '\r') {
        line.append((char) octet);
      }
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
