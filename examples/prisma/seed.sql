-- Rows for the examples: the same ones every time.

INSERT INTO "User" ("email", "name")
SELECT 'user' || n || '@example.com', 'User ' || n
FROM generate_series(1, 50) AS n;

INSERT INTO "Product" ("sku", "name", "description", "price", "stock", "attributes")
SELECT 'SKU-' || lpad(n::text, 4, '0'),
       'Product ' || n,
       CASE WHEN n % 3 = 0 THEN NULL ELSE 'What product ' || n || ' is good for' END,
       (n * 7 % 90) + 9.99,
       n * 13 % 40,
       jsonb_build_object('colour', (ARRAY['red', 'green', 'blue'])[n % 3 + 1], 'weight', n * 10)
FROM generate_series(1, 200) AS n;

INSERT INTO "Order" ("status", "userId", "placedAt")
SELECT (ARRAY['PENDING', 'PAID', 'SHIPPED', 'CANCELLED'])[n % 4 + 1]::"OrderStatus",
       n % 50 + 1,
       TIMESTAMP '2026-01-01' + n * INTERVAL '1 hour'
FROM generate_series(1, 300) AS n;

INSERT INTO "OrderItem" ("orderId", "productId", "quantity", "unitPrice")
SELECT o."id", p."id", o."id" % 3 + 1, p."price"
FROM "Order" AS o
CROSS JOIN generate_series(0, 2) AS k
JOIN "Product" AS p ON p."id" = (o."id" * 11 + k * 17) % 200 + 1;

INSERT INTO "Review" ("rating", "text", "productId", "userId")
SELECT n % 5 + 1, 'Review ' || n, n % 200 + 1, n / 200 + 1
FROM generate_series(0, 999) AS n;
