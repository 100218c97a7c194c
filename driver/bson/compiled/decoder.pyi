from driver.bson.decoder import decode as decode
from driver.bson.decoder import decode_all as decode_all
from driver.bson.decoder import decode_iter as decode_iter
