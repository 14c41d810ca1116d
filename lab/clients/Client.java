// A client by Java's JSSE: java Client.java BEHAVIOUR HOST VERSION CA [PROXYHOST PROXYPORT]
//
// request   verifies, asks, reads the answer
// pin       its TrustManager throws, as one that compares keys does
import java.io.FileInputStream;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URL;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

public class Client {
	static final class Pin implements X509TrustManager {
		public void checkClientTrusted(X509Certificate[] chain, String type) {
		}

		public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
			throw new CertificateException("this is not the key that was expected");
		}

		public X509Certificate[] getAcceptedIssuers() {
			return new X509Certificate[0];
		}
	}

	public static void main(String[] words) throws Exception {
		TrustManager[] trust;
		if (words[0].equals("pin")) {
			trust = new TrustManager[] { new Pin() };
		} else {
			KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
			store.load(null, null);
			int n = 0;
			try (FileInputStream in = new FileInputStream(words[3])) {
				for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in))
					store.setCertificateEntry("ca" + n++, c);
			}
			TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
			factory.init(store);
			trust = factory.getTrustManagers();
		}
		System.setProperty("https.protocols", "TLSv" + words[2]);
		SSLContext context = SSLContext.getInstance("TLSv" + words[2]);
		context.init(null, trust, null);
		Proxy proxy = words.length < 6 ? Proxy.NO_PROXY
			: new Proxy(Proxy.Type.HTTP, new InetSocketAddress(words[4], Integer.parseInt(words[5])));
		HttpsURLConnection c = (HttpsURLConnection)new URL("https://" + words[1] + "/java").openConnection(proxy);
		c.setSSLSocketFactory(context.getSocketFactory());
		c.setConnectTimeout(15000);
		c.setReadTimeout(15000);
		try {
			c.getInputStream().readAllBytes();
		} catch (java.io.IOException e) {
			System.err.println("Client.java: " + e);
			System.exit(1);
		}
	}
}
