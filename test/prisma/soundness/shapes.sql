-- The tables of shapes.prisma, as Prisma's own migrations would make them.

CREATE EXTENSION IF NOT EXISTS citext;

CREATE TYPE "Kind" AS ENUM ('CAR', 'bicycle');

CREATE TABLE "Person" (
    "id" SERIAL PRIMARY KEY,
    "email" TEXT NOT NULL UNIQUE,
    "handle" CITEXT UNIQUE,
    "price" DECIMAL(10,2) UNIQUE,
    "since" TIMESTAMP(3) UNIQUE,
    "token" BYTEA UNIQUE,
    "serial" BIGINT UNIQUE,
    "name" TEXT NOT NULL,
    "seenAt" TIMESTAMP(3) NOT NULL,
    "spouseId" INTEGER UNIQUE REFERENCES "Person"("id") ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE "Passport" (
    "id" SERIAL PRIMARY KEY,
    "number" TEXT NOT NULL UNIQUE,
    "personId" INTEGER UNIQUE REFERENCES "Person"("id") ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE "Desk" (
    "id" SERIAL PRIMARY KEY,
    "label" TEXT NOT NULL,
    "personEmail" TEXT NOT NULL UNIQUE REFERENCES "Person"("email") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Garage" (
    "code" TEXT PRIMARY KEY,
    "city" TEXT NOT NULL
);

CREATE TABLE "Car" (
    "id" UUID PRIMARY KEY,
    "plate" TEXT NOT NULL,
    "kind" "Kind" NOT NULL,
    "ownerId" INTEGER REFERENCES "Person"("id") ON DELETE SET NULL ON UPDATE CASCADE,
    "garageCode" TEXT NOT NULL DEFAULT 'a' REFERENCES "Garage"("code") ON DELETE SET DEFAULT ON UPDATE CASCADE,
    UNIQUE ("plate", "kind")
);

CREATE TABLE "Part" (
    "plate" TEXT NOT NULL,
    "kind" "Kind" NOT NULL,
    "no" INTEGER NOT NULL,
    "label" TEXT NOT NULL,
    PRIMARY KEY ("plate", "kind", "no"),
    FOREIGN KEY ("plate", "kind") REFERENCES "Car"("plate", "kind") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Screw" (
    "id" SERIAL PRIMARY KEY,
    "size" INTEGER NOT NULL,
    "plate" TEXT,
    "kind" "Kind",
    "no" INTEGER,
    FOREIGN KEY ("plate", "kind", "no") REFERENCES "Part"("plate", "kind", "no") ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE "clubs" (
    "club_id" SERIAL PRIMARY KEY,
    "club_name" TEXT NOT NULL UNIQUE
);

CREATE TABLE "_ClubToPerson" (
    "A" INTEGER NOT NULL REFERENCES "clubs"("club_id") ON DELETE CASCADE ON UPDATE CASCADE,
    "B" INTEGER NOT NULL REFERENCES "Person"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY ("A", "B")
);

CREATE TABLE "_Friends" (
    "A" INTEGER NOT NULL REFERENCES "Person"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    "B" INTEGER NOT NULL REFERENCES "Person"("id") ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY ("A", "B")
);
